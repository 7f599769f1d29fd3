from containers.node.plan import Plan

PLAN = Plan("Rebooted", entry={})
