"""gridman: neighbourhood grid management (网格化服务管理) that works without a network."""

__version__ = "0.1.0"
