/**
 * The only room that makes native calls: descriptors, the poller that virtual threads wait in, and typed calls for
 * processes, mounts and sockets, which other rooms use. Linux with glibc 2.34 or newer, x86_64 and aarch64.
 */
package io.loomshim.linux;
