/** One record per runc command; run with a deadline; error text from the log. */
package io.loomshim.runc;
