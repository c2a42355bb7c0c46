# The demo's template: the mini installer's ISO in, a template that serves a page out.
#
#   examples/mini/make-iso build/mini.iso
#   gantry build -var iso=build/mini.iso examples/mini

packer {
  required_version = ">= 1.6.0"
}

variable "iso" {
  type        = string
  description = "The ISO that make-iso wrote; SHA256SUMS stands beside it."
  default     = "build/mini.iso"
}

variable "arch" {
  type        = string
  description = "The ISO's architecture: amd64 or arm64."
  default     = "amd64"
}

variable "firmware" {
  type        = string
  description = "What the machine starts with: bios or uefi. Machines of arm64 have UEFI only."
  default     = "bios"
}

variable "template" {
  type        = string
  description = "The name of the template."
  default     = "mini"
}

variable "password" {
  type        = string
  description = "Root's password while the template is built. It stays the password of the template's machines: give each user of a real template a key instead."
  default     = "gantry"
}

variable "hostname" {
  type    = string
  default = "mini"
}

locals {
  uefi = var.firmware == "uefi" || var.arch == "arm64"

  answers = <<-END
    hostname=${var.hostname}
    user=root
    password=${var.password}
    after=reboot
  END

  qemu_binaries = {
    amd64 = "qemu-system-x86_64"
    arm64 = "qemu-system-aarch64"
  }

  machine_types = {
    amd64 = "pc"
    arm64 = "virt"
  }

  # isolinux: its menu waits for a key. Esc leaves it for the prompt, as with Debian's installer.
  isolinux_command = [
    "<waitFor 'Mini installer' 60s>", "<esc>",
    "<waitFor 'boot:' 30s>",
    "install answers=http://{{ .HTTPIP }}:{{ .HTTPPort }}/answers<enter>",
    "<waitForSerial 'installation complete' 300s>",
  ]

  # GRUB, where keys go over USB or through firmware that repeats a key held too long: one key only, and the answers on a
  # CD, which the installer looks for by its label. UEFI shows the same on the screen and the serial line.
  grub_command = [
    "<waitForSerial 'Install' 180s>", "<enter>",
    "<waitForSerial 'installation complete' 300s>",
  ]
}

source "qemu" "mini" {
  iso_url      = var.iso
  iso_checksum = "file:${dirname(var.iso)}/SHA256SUMS"

  qemu_binary    = local.qemu_binaries[var.arch]
  machine_type   = local.machine_types[var.arch]
  efi_boot       = local.uefi
  memory         = 256
  cpus           = 1
  disk_size      = "1G"
  disk_interface = "virtio"
  net_device     = "virtio-net"
  format         = "qcow2"
  headless       = true

  # The installer asks this machine's builder for its answers, or finds them on a CD.
  http_content = { for path, text in { "/answers" = local.answers } : path => text if !local.uefi }
  cd_content   = { for path, text in { "answers" = local.answers } : path => text if local.uefi }
  cd_label     = "ANSWERS"

  boot_wait    = "0s"
  boot_command = local.uefi ? local.grub_command : local.isolinux_command

  communicator     = "ssh"
  ssh_username     = "root"
  ssh_password     = var.password
  ssh_timeout      = "5m"
  shutdown_command = "/usr/sbin/poweroff"
  shutdown_timeout = "1m"
}

build {
  name    = "mini"
  sources = ["source.qemu.mini"]

  # In one upload: a folder without a slash at its end arrives as /tmp/page.
  provisioner "file" {
    source      = "${path.root}/page"
    destination = "/tmp"
  }

  provisioner "shell" {
    script = "${path.root}/page/install.sh"
  }

  provisioner "shell" {
    environment_vars = ["BUILT_FROM=${basename(var.iso)}"]
    inline = [
      "echo \"made from $BUILT_FROM on $(uname -m)\" > /etc/motd",
      "cat /etc/motd",
    ]
  }

  # Only a template of the local store; without this block a disk file in output-mini/ would be made as well, as
  # Packer does.
  artifact "template" {
    name = var.template
  }
}
