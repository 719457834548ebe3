"""The commands, one a module: its NAME, what it is ABOUT, an EXAMPLE, what it declares and what it does."""
