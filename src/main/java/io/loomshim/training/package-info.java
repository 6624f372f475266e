/** A dry run of the daemon at installation, from which the JVM makes the start-up archive. */
package io.loomshim.training;
