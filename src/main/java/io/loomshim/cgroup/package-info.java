/**
 * Control groups, v1 and v2: where a process is, which processes are in one ({@code runc ps} is asked only where no
 * cgroup is known), statistics, out-of-memory kills, which are watched from Create on, whether it is frozen, the
 * cgroups of execs whose processes are ended with them, and the grace period that is begun early for a runtime's
 * moves. Pause and Resume are commands of runc.
 */
package io.loomshim.cgroup;
