"""How a node's containers reach the world, and nothing that isn't theirs.

Each container has a network namespace of its own and one point-to-point link (a veth pair)
to the node, which routes. There is no bridge: with one, a container could answer ARP for
another's address, and keeping it from that takes bridge filters that some kernels lack. Here
nothing but the node's own routing table says whose an address is:

- to receive, an address needs a route to the container's link, and only the node makes those;
  one address can't have two (the second `ip route add` fails);
- to send, the way back to the source must be the link it came in by (one firewall rule for
  all containers), so what isn't routed to a container it can't send from.

names      what a container's link and the panel's table are called
addresses  which addresses a container can have          pool       the node's own addresses
link       the commands that make a link                 hook       the same, as an OCI hook
live       addresses of running containers               taken      is an address in use?
nft, iptables, rules   what containers may reach         resolver   resolv.conf
reach      which containers reach one another
prepare    the node's part: pool, forwarding, firewall   record     what prepare found
remove     takes it away                                 proxies    whom the node answers for
probe      what this machine allows                      traffic    bytes in and out
"""
