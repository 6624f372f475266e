/**
 * The daemon: its start, its socket, its log, and when it ends; its arguments, by which the launcher passes the
 * settings of loomshim.conf (settings.sh has the list, cold.sh passes them). It wires the rooms below together, and
 * does what of a Create or Delete concerns the run directory and the log, when {@code task} tells it by
 * {@link io.loomshim.task.DaemonHooks}. The launcher in src/main/launcher, four shell scripts, does the rest of
 * {@code start} and {@code delete}: it chooses the run directory, joins the shim cgroup, sets the OOM score, starts
 * the daemon, and writes its address into the bundle. Its {@code delete} works without a daemon: it prints the answer
 * that one has left in the bundle, or removes the container by force and leaves a mark, for which
 * {@link io.loomshim.daemon.Removals} has the daemon give it up. {@link io.loomshim.daemon.StartOptions} is a program
 * of its own, which decodes the options of {@code start} for the launcher. With {@code take_over} the socket is opened
 * in {@code takeover}.
 */
package io.loomshim.daemon;
