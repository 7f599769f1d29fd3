from containers.node.plan import Plan

PLAN = Plan("Run", entry={})
