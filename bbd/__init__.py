"""bbd: a network block device whose disk is made of Minecraft blocks."""

__version__ = "0.1.0"
