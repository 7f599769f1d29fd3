from containers.node.plan import Plan

PLAN = Plan("Create", entry={})
