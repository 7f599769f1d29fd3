from containers.node.plan import Plan

PLAN = Plan("Umount", entry={})
