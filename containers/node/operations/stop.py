from containers.node.plan import Plan

PLAN = Plan("Stop", entry={})
