"""Provision Docker network labs from one YAML file, and prove who reaches whom."""

__version__ = "0.1.0"
