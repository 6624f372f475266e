/**
 * ttrpc, server and client, on Unix-domain sockets: frames, limits, credentials, deadlines, status
 * (docs/PROTOCOL.md). Knows nothing of containers: what a call is about it is told, and hands on. No class uses one
 * that uses it.
 */
package io.loomshim.ttrpc;
