from containers.node.plan import Plan

PLAN = Plan("Halted", entry={})
