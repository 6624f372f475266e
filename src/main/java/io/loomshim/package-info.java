/** containerd-shim-loom-v1. Imports point downwards only: daemon, task, container, then runc, stdio, cgroup and event, then ttrpc and linux. */
package io.loomshim;
