/**
 * The daemon with an event loop in place of its threads for calls, for the comparison of threads: Netty's epoll
 * transport on the daemon's own socket, and the daemon's own task service behind it. A program of its own that the
 * launcher starts; no other benchmark uses it.
 */
package io.loomshim.bench.loop;
