/**
 * Control groups, v1 and v2: where a process is, which processes are in one (where none is known, {@code container}
 * asks {@code runc ps}), statistics, out-of-memory kills, which are watched from Create on, whether it is frozen, the
 * cgroups of execs whose processes are ended with them, and the grace period that is begun early for a runtime's
 * moves. Pause and Resume are commands of runc.
 */
package io.loomshim.cgroup;
