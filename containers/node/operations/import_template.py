from containers.node.plan import Plan

PLAN = Plan("Import", entry={})
