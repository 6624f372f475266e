/**
 * containerd-shim-loom-v1. Imports point downwards only: training, daemon and cli, inspect, task, container,
 * checkpoint, then runc, cgroup and takeover, then stdio, mount, rundir, shelf and event, then process and record,
 * then linux, ttrpc, json and toml, then metrics and threads, then log and errors. Messages are generated from
 * src/main/proto into {@code io.loomshim.proto}, which any room may import.
 */
package io.loomshim;
