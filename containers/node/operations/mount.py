from containers.node.plan import Plan

PLAN = Plan("Mount", entry={})
