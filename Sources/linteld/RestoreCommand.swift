#if Server
  internal import ArgumentParser
  internal import LintelStorage

  /// `linteld restore`: a data directory from a backup.
  struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "restore",
      abstract: "Restore a backup into a new directory.",
      discussion: """
        Every file is compared to its checksum. Until all of it is on the disk, no store opens in the directory; after a \
        crash run it again. Who has been erased since the backup stays erased as far as later backups beside it tell, or the \
        directory named by --erasure. Exit status: 0 when the store is there, 1 when it isn't, 64 for flags that can't be meant.
        """)

    @Option(help: ArgumentHelp("A backup, or a directory of backups: the newest.", valueName: "backup"))
    var from: String
    @Option(help: ArgumentHelp("The directory of the store: a new or an empty one.", valueName: "dir"))
    var data: String
    @Option(
      help: ArgumentHelp(
        "The data directory that is replaced: who has been erased since the backup is known there.", valueName: "dir"))
    var erasure: String?
    @Flag(help: "Take damaged files over as they are: the store leaves out what it can't read, and says so.")
    var takeDamaged = false

    func run() throws {
      var options = RestoreOptions()
      options.erasure = erasure
      options.isTakingDamaged = takeDamaged
      do throws(StorageError) {
        let report = try Backups.restore(from, to: data, options)
        let backup = report.summary
        BackupText.say(
          "restored backup \(backup.number) of \(BackupText.time(backup.began)): \(report.files) files, \(report.bytes) bytes"
        )
        BackupText.say("rules of erasure \(report.rules), from \(report.rulesOrigin)")
        if erasure == nil {
          BackupText.warn(
            "who was erased after those rules is not known here: where the former data directory is still there, restore "
              + "with --erasure")
        }
        for number in report.enforced {
          BackupText.warn(
            "erasure \(number) was finished and lifted after the backup, which has its rows: it is in force again; lift it "
              + "when SHOW ERASURES says 'erased'")
        }
        for problem in report.damages + backup.damages { BackupText.warn(problem) }
      } catch {
        BackupText.fail(error)
        throw ExitCode(1)
      }
    }
  }
#endif
