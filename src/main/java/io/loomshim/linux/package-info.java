/**
 * The kernel as this shim uses it: file descriptors, the poller, processes, mounts. The only room
 * that makes native calls, all of them through {@link io.loomshim.linux.Native}.
 *
 * <p>Nothing here holds a lock across a native call, and no native call here blocks for long: what
 * has to wait for a file descriptor waits in the {@link io.loomshim.linux.Poller}. Linux with glibc
 * 2.34 or newer, x86_64 and aarch64.
 */
package io.loomshim.linux;
