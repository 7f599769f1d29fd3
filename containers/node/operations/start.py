from containers.node.plan import Plan

PLAN = Plan("Start", entry={})
