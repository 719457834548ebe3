"""The composites: one public Beam PTransform a file, wiring only."""
