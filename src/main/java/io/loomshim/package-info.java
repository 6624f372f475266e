/**
 * containerd-shim-loom-v1. Imports point downwards only: daemon, task, container, then runc, stdio, cgroup and event,
 * then ttrpc, linux and json, then threads and log.
 */
package io.loomshim;
