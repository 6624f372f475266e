/**
 * Task events (TaskStart, TaskExit and so on): their topics, and the queue that delivers them to containerd in the
 * order in which they were added. {@code container} makes the messages, and holds a lock so that an exit comes after
 * its start.
 */
package io.loomshim.event;
