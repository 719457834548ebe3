"""Packages, dependencies and the console command; the rest of the metadata is in pyproject.toml."""

from setuptools import setup

setup(
    packages=["pipeline", "pipeline.commands", "schemas", "transforms", "transforms.functions", "transforms.rules"],
    package_data={"transforms.rules": ["*.toml"], "pipeline": ["*.html"]},
    install_requires=[
        "apache-beam==2.77.0",
        "charset-normalizer==3.5.2",
        "datasketch==2.0.0",
        "dateparser==1.5.0",
        "fastavro==1.13.1",
        "fastwarc==2.0.1",
        "google-re2==1.1.20251105",
        "lxml_html_clean==0.4.5",
        "numba==0.68.1",
        "numpy==2.4.6",
        "orjson==3.13.0",
        "pyarrow==25.0.1",
        "resiliparse==2.0.1",
        "scipy==1.17.1",
        "trafilatura==2.3.1",
        "zstandard==0.25.0",
    ],
    extras_require={
        "kafka": ["confluent-kafka==2.16.1"],
        "s3": ["boto3==1.44.5"],
        "tests": [
            "boto3==1.44.5",
            "confluent-kafka==2.16.1",
            "datasets==5.2.0",
            "duckdb==2.0.0",
            "hypothesis==6.170.15",
            "moto[server]==5.2.5",
            "mypy==2.4.1",
            "pandas==3.1.1",
            "polars==2.1.0",
            "pytest==9.2.0",
            "pytest-timeout==2.4.0",
            "pytest-xdist==3.8.0",
            "ruff==0.17.6",
        ],
    },
    entry_points={"console_scripts": ["copydesk=pipeline.command_line:main"]},
)
