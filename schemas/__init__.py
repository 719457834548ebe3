"""What things are: Arrow schemas, reasons, relations, settings. Imports nothing else of this project."""
