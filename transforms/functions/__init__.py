"""What the composites do, on batches, without Beam."""
