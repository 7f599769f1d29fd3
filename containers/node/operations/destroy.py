from containers.node.plan import Plan

PLAN = Plan("Destroy", entry={})
