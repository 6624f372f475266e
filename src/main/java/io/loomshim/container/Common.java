package io.loomshim.container;

import io.loomshim.event.Outbox;
import io.loomshim.metrics.Budget;
import io.loomshim.record.Journal;
import io.loomshim.runc.ExecHelp;
import io.loomshim.runc.KnownRuntimes;
import io.loomshim.runc.RuncCalls;
import io.loomshim.runc.RuncLimits;
import io.loomshim.shelf.Shelf;

/**
 * What all containers of one daemon have in common.
 *
 * @param namespace the containerd namespace, a part of runc's root
 * @param events takes their events
 * @param shelf where is kept what must not close with the daemon
 * @param journal where is written down what must be known after the daemon's end
 * @param limits how long runc may take
 * @param killExecTree whether what an exec has started ends with it
 * @param known the runtimes of which some commands need no process
 * @param calls is told of their commands
 * @param execHelp what their runtimes say of exec
 * @param undos takes back what failed calls have made
 * @param execSpecs memory for the specs of processes that have been added and not started
 */
record Common(String namespace, Outbox events, Shelf shelf, Journal journal, RuncLimits limits,
    boolean killExecTree, KnownRuntimes known, RuncCalls calls, ExecHelp execHelp, Undos undos, Budget execSpecs) {
  /** The largest heap divided by this is for {@code execSpecs}. */
  private static final int SPECS_PART = 12;

  static Common of(String namespace, Outbox events, Shelf shelf, Journal journal, RuncLimits limits,
      boolean killExecTree, KnownRuntimes known) {
    return new Common(namespace, events, shelf, journal, limits, killExecTree, known, new RuncCalls(shelf),
        new ExecHelp(), new Undos(), Budget.ofHeap(SPECS_PART));
  }
}
