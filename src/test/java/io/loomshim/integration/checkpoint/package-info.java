/** Checkpoint and restore with CRIU. */
package io.loomshim.integration.checkpoint;
