package io.loomshim.bench.loom;

/** What the page of the comparison says about how it was made. In HTML. */
final class LoomMethod {
  private LoomMethod() {}

  static final String INTRODUCTION = """
      <p>One containerd shim, one jar. A line of its configuration, <code>threads=</code>, decides what the threads
      are that serve its calls, wait for its processes and move its bytes: virtual threads, threads of the operating
      system (<code>platform</code>), or these with at most 64 or 512 calls at work at once (<code>fixed:64</code>).
      Everything else is the same code. <code>platform, lean</code> is <code>platform</code> with stacks of 192&nbsp;kB
      and small allocation buffers.</p>
      <p><b>event loop</b> is the same daemon with another server in front of the same task service: Netty's epoll
      transport, an event loop for each processor, State and a Wait without any thread, and 16 workers for what may
      wait for runc. What waits for processes behind it is still one virtual thread for each process. It is a part of
      the benchmark (<code>bench/src</code>), not of the shim.</p>
      <p>Two of containerd's own shims, in Go, stand beside them: <code>runc.v2</code> with all containers in one
      group, so that one process serves them all as one daemon does here, and <code>runc.v1</code> with a process
      each.</p>
      <p><code>pinned</code> is an illustration and no offer: virtual threads, each of which holds a monitor as long
      as it lives, as a library of the old style might while it waits. Before JEP 491 (JDK 24) such a thread keeps its
      carrier. It runs with <code>-Djdk.virtualThreadScheduler.parallelism=64</code> and <code>maxPoolSize=64</code>:
      with the usual two carriers of a machine with two processors the daemon would not get as far as its first
      container.</p>
      """;

  static final String INTERVALS = """
      <p>Medians. In parentheses is where the median lies with a confidence of 95&nbsp;% or more: between two samples
      in order, without any assumption about how they are spread (with six samples, as State has, from the smallest to
      the greatest, 97&nbsp;%). Where there are fewer than six it is the whole range, and says less.</p>
      """;

  static final String LOSSES = """
      <p>Medians that are worse by 5&nbsp;% or more, and how many times. Where both cells have five samples or more, a
      difference counts only if their intervals do not meet. What one sample in a cell says may be chance: see whether
      its neighbours say the same.</p>
      """;

  static final String METHOD = """
      <h2>How it is measured</h2>
      <ul>
      <li><b>Containers that somebody waits for.</b> The containers sleep. For each there is one connection to its
      shim with one Wait on it, and nothing else; a State behind it shows that the shim has taken it up. Then come a
      pause, the context switches of some seconds in which nobody asks for anything, threads and memory (PSS and RSS
      from <code>/proc</code>, the sum over the shims of a side), and one more client that calls State and makes execs
      of <code>true</code>, one after another. One side after the other, alone: up to 2000 containers, 1000 on
      JDK 21 and 27, 500 with <code>fixed</code> and <code>pinned</code>, and no more than fit into the share of the
      time that a side has and 70&nbsp;% of what the machine has left.</li>
      <li><b>Calls that wait in one daemon.</b> One container, one more process in it, and so many connections with a
      Wait for that process each: what a parked call costs without a container. Memory for each is the difference to
      the daemon before them. Then one more client calls State, and at last the process is killed: the time until the
      last Wait has its answer.</li>
      <li><b>Execs at once.</b> Exec, Start, Wait and Delete of <code>true</code> in one container by so many callers
      on one connection. Processor time is that of the shim and of the children that it has waited for: runc and the
      processes. The sides take turns.</li>
      <li><b>Connections that call State.</b> One call in flight on each connection, all served by one thread of the
      client. State waits for nothing, so the daemon answers it on the thread that reads the connection. The sides
      take turns.</li>
      <li><b>Repeated.</b> Each cell of the connections is measured in six rounds, and State beside waiting calls in
      six batches of 1000 (3000 in a full run) after a warm-up; each gives a median, a 99th and a 99.9th percentile, and
      these are the samples. Memory, threads and execs beside containers are one sample a run.</li>
      <li><b>Other work.</b> Whenever nothing of ours is at work, the rest of the machine is looked at; from a mean of
      0.1 processors on the page says so at its head.</li>
      <li><b>Context switches</b>, voluntary and involuntary, are those of all threads of the shim; a thread that has
      ended takes its count along, so per exec the whole machine is counted, with client, runc and kernel.</li>
      <li><b>Starved.</b> A call that finds no thread for 5 s is refused by <code>fixed:64</code>; the benchmark
      itself gives a call up after 20 s. Either is a result with its text, in the table below and as a cross where the
      line ends. A shim that answers nothing any more is killed by its process id and its containers are removed by
      its own <code>delete</code>.</li>
      <li>The shims are called as containerd calls them, without containerd between. A line of <code>raw.csv</code> is
      one sample, <code>axis-figure,n,side,value,unit</code>; tables and lines are medians of a cell's samples.</li>
      <li>Any cell can be measured again: <code>bench/loom-bench.sh --full --cell virtual-25:500</code>.</li>
      </ul>
      <h2>What it does not show</h2>
      <ul>
      <li>A service that computes. This one waits nearly all of its time, which is what virtual threads are for.</li>
      <li>A machine with many processors, another kernel, another collector: the heap is at most 192 MB, collected
      serially, compiled by C1 only.</li>
      <li>The work of runc, which is most of an exec and the same for all sides; that hides differences between
      threads.</li>
      <li>The best that could be done with platform threads by another design. <code>lean</code> and <code>fixed</code>
      are what settings can do; the code has a thread for each thing that waits because virtual threads are cheap, and a
      shim made for platform threads would have fewer. The event loop is that design taken to its end.</li>
      <li>What the kernel keeps for a thread of its own: about 16&nbsp;kB of stack, which PSS does not contain.</li>
      <li>The 99th percentile of a hundred execs is nearly their worst, and differs from run to run.</li>
      </ul>
      """;
}
