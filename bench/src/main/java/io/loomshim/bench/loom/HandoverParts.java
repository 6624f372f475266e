package io.loomshim.bench.loom;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Which part of its processor time a daemon spends on what, told from the stacks of its samples: each line has the
 * frames, the outermost first, separated by semicolons, a blank and how often they were seen.
 */
record HandoverParts(Map<String, Long> samples) {
  /** Names by a frame that only this part has; the first that fits. */
  private static final Map<String, String> PARTS = parts();

  private static final String REST = "everything else";

  private static Map<String, String> parts() {
    var parts = new LinkedHashMap<String, String>();
    parts.put("java/util/concurrent/ForkJoinPool.signalWork", "a carrier is woken (futex)");
    parts.put("java/util/concurrent/ForkJoinPool.awaitWork", "a carrier goes to sleep (futex)");
    parts.put("java/util/concurrent/ForkJoinPool.externalSubmit", "the thread is put into the scheduler's queue");
    parts.put("java/util/concurrent/ForkJoinPool.externalExecuteTask", "the thread is put into the scheduler's queue");
    parts.put("io/loomshim/linux/Epoll.await", "the poller waits (epoll_wait)");
    parts.put("io/loomshim/linux/Epoll.set", "a descriptor is registered (epoll_ctl)");
    parts.put("io/loomshim/linux/Poller.run", "the poller finds and wakes the thread");
    parts.put("io/loomshim/linux/StreamSocket.receive", "the request is read");
    parts.put("io/loomshim/linux/StreamSocket.send", "the reply is written");
    parts.put("jdk/internal/vm/Continuation.yield", "the stack is put away");
    parts.put("jdk/internal/vm/Continuation.enterSpecial", "the stack is put back");
    parts.put("io/loomshim/task/", "the call itself");
    parts.put("io/loomshim/ttrpc/", "frames, protobuf, the server's books");
    parts.put("java/lang/VirtualThread.", "mounting and unmounting");
    parts.put("java/util/concurrent/ForkJoinPool.", "the scheduler looks for work");
    return parts;
  }

  static HandoverParts of(List<String> lines) {
    var samples = new LinkedHashMap<String, Long>();
    for (String line : lines) {
      int blank = line.lastIndexOf(' ');
      String[] frames = line.substring(0, blank).split(";");
      samples.merge(part(frames), Long.parseLong(line.substring(blank + 1)), Long::sum);
    }
    return new HandoverParts(samples);
  }

  /** What the innermost frame that is known says. */
  private static String part(String[] frames) {
    for (int i = frames.length - 1; i >= 0; i--) {
      for (Map.Entry<String, String> each : PARTS.entrySet()) {
        if (frames[i].startsWith(each.getKey())) {
          return each.getValue();
        }
      }
    }
    return REST;
  }

  /** In Markdown, the largest first. */
  String table() {
    double all = samples.values().stream().mapToLong(Long::longValue).sum();
    var text = new StringBuilder("| part of the processor time | |\n|---|---|\n");
    samples.entrySet().stream().sorted(Map.Entry.<String, Long>comparingByValue().reversed()).forEach(each -> text
        .append(String.format(Locale.ROOT, "| %s | %.1f %% |%n", each.getKey(), 100 * each.getValue() / all)));
    return text.toString();
  }
}
