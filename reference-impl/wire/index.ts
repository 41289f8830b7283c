/** The wire codecs: Ethernet, ARP, IPv4, TCP and UDP, read by views, written by builders, changed by patches. */
export * from './addresses.js';
export * from './arp.js';
export * from './build.js';
export * from './checksum.js';
export * from './errors.js';
export * from './ethernet.js';
export * from './frame.js';
export * from './ipv4.js';
export * from './octets.js';
export * from './patch.js';
export * from './seq.js';
export * from './tcp.js';
export * from './udp.js';
