package io.loomshim.integration.faults;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.loomshim.proto.task.CheckpointTaskRequest;
import io.loomshim.proto.task.CloseIORequest;
import io.loomshim.proto.task.ConnectRequest;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.ExecProcessRequest;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.PauseRequest;
import io.loomshim.proto.task.PidsRequest;
import io.loomshim.proto.task.ResizePtyRequest;
import io.loomshim.proto.task.ResumeRequest;
import io.loomshim.proto.task.ShutdownRequest;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StatsRequest;
import io.loomshim.proto.task.UpdateTaskRequest;
import io.loomshim.proto.task.WaitRequest;
import java.util.LinkedHashMap;
import java.util.Map;

/** One request for every method of the task service. */
final class Requests {
  /** Calls that succeed whatever id they name. */
  static final java.util.Set<String> FOR_ANYBODY = java.util.Set.of("Connect", "Shutdown");

  private Requests() {}

  /** Requests about the container {@code id} and its exec {@code exec}, by method. */
  static Map<String, MessageLite> of(String id, String exec) {
    var all = new LinkedHashMap<String, MessageLite>();
    all.put("State", StateRequest.newBuilder().setId(id).setExecId(exec).build());
    all.put("Create", CreateTaskRequest.newBuilder().setId(id).setBundle("/nonexistent/bundle").build());
    all.put("Start", StartRequest.newBuilder().setId(id).setExecId(exec).build());
    all.put("Delete", DeleteRequest.newBuilder().setId(id).setExecId(exec).build());
    all.put("Pids", PidsRequest.newBuilder().setId(id).build());
    all.put("Kill", KillRequest.newBuilder().setId(id).setExecId(exec).setSignal(15).build());
    all.put("Exec", ExecProcessRequest.newBuilder().setId(id).setExecId(exec).setSpec(process("true", "")).build());
    all.put("Wait", WaitRequest.newBuilder().setId(id).setExecId(exec).build());
    all.put("CloseIO", CloseIORequest.newBuilder().setId(id).setExecId(exec).setStdin(true).build());
    all.put("ResizePty", ResizePtyRequest.newBuilder().setId(id).setExecId(exec).setWidth(80).setHeight(25).build());
    all.put("Connect", ConnectRequest.newBuilder().setId(id).build());
    all.put("Shutdown", ShutdownRequest.newBuilder().setId(id).build());
    all.put("Pause", PauseRequest.newBuilder().setId(id).build());
    all.put("Resume", ResumeRequest.newBuilder().setId(id).build());
    all.put("Update", UpdateTaskRequest.newBuilder().setId(id).setResources(
        Any.newBuilder().setTypeUrl("types.containerd.io/opencontainers/runtime-spec/1/LinuxResources")
            .setValue(ByteString.copyFromUtf8("{}"))).build());
    all.put("Checkpoint", CheckpointTaskRequest.newBuilder().setId(id).setPath("/nonexistent/image").build());
    all.put("Stats", StatsRequest.newBuilder().setId(id).build());
    return all;
  }

  /** The spec of a process that runs {@code program} with {@code variable} in its environment. */
  static Any process(String program, String variable) {
    String json = "{\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0},\"env\":[\"PATH=/bin\",\"X=" + variable
        + "\"],\"args\":[\"" + program + "\"]}";
    return Any.newBuilder().setTypeUrl("types.containerd.io/opencontainers/runtime-spec/1/Process")
        .setValue(ByteString.copyFromUtf8(json)).build();
  }
}
