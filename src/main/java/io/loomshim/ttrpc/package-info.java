/**
 * ttrpc, server and client, on Unix-domain sockets by our own calls: frames, limits, credentials, deadlines, status
 * codes (docs/PROTOCOL.md). Knows nothing of containers: a handler labels its call, and the label is passed on. Its
 * classes have no cycles.
 */
package io.loomshim.ttrpc;
