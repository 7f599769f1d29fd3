from containers.node.plan import Plan

PLAN = Plan("Set", entry={})
