/** The process behind the containers: its start, its end, its threads, and what it tells of itself. */
package io.loomshim.integration.daemon;
