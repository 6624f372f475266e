/**
 * ttrpc, server and client, on Unix-domain sockets: frames, limits, credentials, deadlines, status
 * (docs/PROTOCOL.md). Knows nothing of containers.
 */
package io.loomshim.ttrpc;
