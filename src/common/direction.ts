/**
 * Rules are read in two directions: what a container may reach (`egress`), and who may reach it (`ingress`). The grammar
 * is one; the address of a rule is that of the other side, and the port is that of the callee.
 */
export type Direction = 'egress' | 'ingress';
