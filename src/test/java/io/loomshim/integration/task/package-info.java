/**
 * The calls of the task service: each in each state, with each option, with a deadline, given up, beside a call that
 * hangs.
 */
package io.loomshim.integration.task;
