from containers.node.plan import Plan

PLAN = Plan("Restart", entry={})
