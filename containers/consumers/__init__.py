"""The ends of the doorbell: a node's worker, a browser's log, a browser's page."""

from containers.consumers.log import LogConsumer
from containers.consumers.news import NewsConsumer
from containers.consumers.node import NodeConsumer
from containers.consumers.origin import OwnOrigin
from containers.consumers.socket import nobody

__all__ = ["LogConsumer", "NewsConsumer", "NodeConsumer", "OwnOrigin", "nobody"]
