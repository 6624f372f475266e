/**
 * A journal in the run directory of what must survive a daemon that is killed. {@code container} and {@code event}
 * write it; a next daemon and {@code inspect --ended} read it. This room knows the file and what belongs to a
 * container, not what a container is.
 */
package io.loomshim.record;
