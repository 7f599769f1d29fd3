from containers.node.plan import Plan

PLAN = Plan("Publish", entry={})
