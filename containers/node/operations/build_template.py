from containers.node.plan import Plan

PLAN = Plan("Build", entry={})
