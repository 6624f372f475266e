/**
 * Containers: the bundle, root file system, cgroup and processes of each, and the life of a process from its creation
 * to its end, with what a call does to it: pause, kill, update and so on. {@link io.loomshim.container.Container} has
 * all that is known of one, and {@link io.loomshim.container.Containers} has them all. Its
 * {@link io.loomshim.container.Bundle} reads config.json, and writes down for the launcher's {@code delete} which runc
 * the container has. Uses messages as values and publishes events; knows nothing of ttrpc.
 */
package io.loomshim.container;
