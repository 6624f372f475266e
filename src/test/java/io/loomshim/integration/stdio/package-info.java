/** What goes into processes and comes out of them: pipes, terminals, log files and loggers. */
package io.loomshim.integration.stdio;
