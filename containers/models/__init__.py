from containers.models.address import Address
from containers.models.audit import AuditEvent
from containers.models.container import Container
from containers.models.inquiry import Inquiry, InquiryKind
from containers.models.judged import Verdict
from containers.models.knock import Knock
from containers.models.node import Node, UndoProfile
from containers.models.operation import Busy, LogChunk, Operation, OperationStep, Via
from containers.models.passkey import Passkey
from containers.models.replaced_system import ReplacedSystem
from containers.models.schedule import Schedule
from containers.models.script import Overtaken, Script, ScriptVersion
from containers.models.script_target import ScriptTarget
from containers.models.snapshot import Snapshot
from containers.models.snapshot_limit import TooMany
from containers.models.template import Template
from containers.models.user_session import UserSession

__all__ = [
    "Address",
    "AuditEvent",
    "Busy",
    "Container",
    "Inquiry",
    "InquiryKind",
    "Knock",
    "LogChunk",
    "Node",
    "Operation",
    "OperationStep",
    "Overtaken",
    "Passkey",
    "ReplacedSystem",
    "Schedule",
    "Script",
    "ScriptTarget",
    "ScriptVersion",
    "Snapshot",
    "Template",
    "TooMany",
    "UndoProfile",
    "UserSession",
    "Verdict",
    "Via",
]
