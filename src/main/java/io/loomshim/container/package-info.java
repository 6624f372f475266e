/**
 * One container: its bundle, root file system and processes, and the story of each process from its
 * creation to its end. Knows nothing of the wire.
 */
package io.loomshim.container;
